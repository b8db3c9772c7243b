#!/bin/sh
# The command line of a packaged Strata: the app's own Electron, as plain Node.
here=$(dirname "$(readlink -f "$0")")
ELECTRON_RUN_AS_NODE=1 exec "$here/strata-desktop" "$here/resources/app.asar/out/main/strata.js" "$@"
