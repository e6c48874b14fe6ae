#!/bin/sh
set -eu
cd /home/app
[ -f package.json ] || npm init -y
