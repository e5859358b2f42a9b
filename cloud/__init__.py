# SPDX-License-Identifier: Apache-2.0

"""A cloud of many processes on this machine, and what is tried on it.

It is no part of what is installed. The programs in ``tools`` are its doors:

``processes``
    starts processes and finds them again;
``services``
    what is installed, configured and set up for each service;
``hosts``
    the compute hosts;
``world``, ``scene``
    what is seen of the cloud, and what is done to one server;
``trials``
    deaths, the soak, upgrades and Tempest.

Only the standard library may be used here, but in ``hosts``: this runs before
anything is installed. What the package itself says about its activation is
taken from it; that part needs nothing else either.
"""
