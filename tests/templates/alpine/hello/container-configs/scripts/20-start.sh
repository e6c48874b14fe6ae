#!/bin/sh
# timeout: 1m
set -eu
rc-update add httpd default
rc-service httpd restart
