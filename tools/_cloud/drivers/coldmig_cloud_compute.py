#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""nova-compute, with the driver of this directory.

Nova loads drivers from below ``nova.virt`` only: the package is told to look
here too, so that nothing is written into the installed Nova.
"""

import pathlib
import sys

# It chooses the threading model: before all else of Nova.
from nova.cmd import compute

import nova.virt

if __name__ == '__main__':
    nova.virt.__path__.append(str(pathlib.Path(__file__).resolve().parent))
    sys.exit(compute.main())
