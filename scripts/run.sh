#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Keeps a server on SQLite running in ./.run until Ctrl-C, and says what to type next.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(swift build --show-bin-path)
address=127.0.0.1:${PORT:-8484}
mkdir -p .run
cat <<TEXT
The server keeps its data in $PWD/.run and listens on $address. In another terminal:

  export PATH="$bin:\$PATH"
  journal write "The first line of my journal."
  journal encryption on --server http://$address --user $(id -un)
  journal sync

and as a second device:

  export JOURNAL_HOME=~/second-device
  journal join --server http://$address --user $(id -un)
  journal list

TEXT
exec "$bin/vaultd" serve --data .run --listen "$address"
