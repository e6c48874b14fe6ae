#!/bin/sh
# Makes the password once; a retry keeps it.
set -eu
if [ ! -e /etc/httpd.conf ]; then
    password=$(random_password 16)
    umask 077
    printf '/:hello:%s\n' "$password" >/etc/httpd.conf
    save_credential httpd USER hello
    save_credential httpd PASSWORD "$password"
fi
log "the page is behind a password"
