#!/bin/sh
exec /opt/Strata/strata "$@"
