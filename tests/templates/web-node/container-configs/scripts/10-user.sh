#!/bin/sh
set -eu
id app >/dev/null 2>&1 || useradd --system --create-home app
