#!/bin/sh
# Whether the node answers clients at all. One that waits for its group does; a restart would help it nothing.
exec /opt/kayadb/apps/kayactl/bin/kayactl.js --server "${KAYA_HEALTH_ADDR:-127.0.0.1:7379}" --timeout 2000 --deadline 4000 health
