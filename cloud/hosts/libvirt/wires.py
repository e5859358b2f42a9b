# SPDX-License-Identifier: Apache-2.0

"""Join the hosts to each other, and to the services of the cloud.

Run as: wires.py PORT[,PORT...] ADDRESS/LENGTH=PIDFILE... , with two hosts.

They are joined by two pairs of virtual Ethernet devices, of which this machine
has no end. The services stay on the loopback device of this machine: a socket
belongs to the network namespace that it was made in, so a listener is made on
the loopback of each host, and what connects to it is passed on from here.
"""

import asyncio
import os
import pathlib
import socket
import subprocess
import sys

import kernel

#: The device between the hosts, and the one for their guests.
DEVICES = ('eth0', 'eth1')


def join(first, second):
    """Make the devices, if they are not there yet.

    :param first: tuple of the pid and the address of a host
    :param second: the same of the other
    """
    there = subprocess.run(
        ['nsenter', '-t', str(first[0]), '-n', 'ip', 'link', 'show',
         DEVICES[0]], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, check=False)
    if there.returncode == 0:
        return
    for device in DEVICES:
        subprocess.check_call(
            ['ip', 'link', 'add', device, 'netns', str(first[0]), 'type',
             'veth', 'peer', 'name', device, 'netns', str(second[0])])
    for pid, address in (first, second):
        for argv in (['addr', 'add', address, 'dev', DEVICES[0]],
                     *(['link', 'set', device, 'up'] for device in DEVICES)):
            subprocess.check_call(['nsenter', '-t', str(pid), '-n', 'ip',
                                   *argv])


def listen(pid, ports):
    """Make listeners on the loopback of a host.

    :param pid: int, of a process of the host
    :param ports: list of int
    :returns: list of tuples of a socket and its port
    """
    made = []
    home = os.open('/proc/self/ns/net', os.O_RDONLY)
    kernel.enter(pid, ['net'])
    for port in ports:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(('127.0.0.1', port))
        listener.listen(128)
        listener.setblocking(False)
        made.append((listener, port))
    kernel.enter_file(home)
    return made


async def _pump(reader, writer):
    try:
        while True:
            data = await reader.read(65536)
            if not data:
                break
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def _pass_on(port):
    async def handle(reader, writer):
        try:
            there, back = await asyncio.open_connection('127.0.0.1', port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, back), _pump(there, writer))

    return handle


async def serve(listeners, hosts):
    """Pass on what comes, until one of the hosts is another.

    :param listeners: list as listen returns it
    :param hosts: list of tuples of the file with the pid of a host, and it
    """
    servers = [await asyncio.start_server(_pass_on(port), sock=listener)
               for listener, port in listeners]
    while all(kernel.first(record) == pid for record, pid in hosts):
        await asyncio.sleep(0.5)
    for server in servers:
        server.close()


def main():
    ports = [int(port) for port in sys.argv[1].split(',')]
    hosts, ends = [], []
    for argument in sys.argv[2:]:
        address, _, path = argument.partition('=')
        record = pathlib.Path(path)
        hosts.append((record, kernel.first(record)))
        ends.append((hosts[-1][1], address))
    join(*ends)
    asyncio.run(serve([made for _record, pid in hosts
                       for made in listen(pid, ports)], hosts))
    sys.exit('A host has ended, or is another.')


if __name__ == '__main__':
    main()
