#!/bin/sh
# A backup of the portal's PostgreSQL database: `deploy/backup.sh FOLDER [DAYS]`; docs/operations.md says what else to keep.
# DATABASE_URL comes from the environment, else from the file `.env` (or `ENV_FILE`). Older dumps than DAYS (14) go.
set -eu
umask 077
folder=${1:?usage: deploy/backup.sh FOLDER [DAYS]}
days=${2:-14}
file=${ENV_FILE:-.env}
url=${DATABASE_URL:-$(test ! -r "$file" || sed -n "s/^DATABASE_URL=[\"']\{0,1\}\([^\"']*\).*/\1/p" "$file")}
test -n "$url" || { echo "DATABASE_URL is set neither in the environment nor in $file." >&2; exit 1; }

# pg_dump changes its session, and a pooler in transaction mode would hand that session on to the portal.
case $url in
*DISABLE_SERVER_SIDE_CURSORS*)
    echo "DATABASE_URL leads to a pooler. Make the backup past it: DATABASE_URL=postgres://…, PostgreSQL's own address, before this command." >&2
    exit 1
    ;;
esac

# Of what stands behind the question mark only `ssl…` is PostgreSQL's; pg_dump refuses the portal's own.
tls=$(printf '%s' "${url#"${url%%\?*}"}" | tr '?&' '\n\n' | grep '^ssl' | paste -s -d '&' -) || true
url=${url%%\?*}

# The password goes by the environment: the arguments of a program are seen by everybody on the machine.
account=${url#*://}
account=${account%%/*}
account=${account%"${account##*@}"}
case $account in
*:*)
    encoded=${account#*:}
    encoded=${encoded%@}
    PGPASSWORD=
    while [ "${encoded#*%}" != "$encoded" ]; do
        after=${encoded#*%}
        PGPASSWORD=$PGPASSWORD${encoded%%\%*}$(printf "\\$(printf %03o "0x${after%"${after#??}"}")")
        encoded=${after#??}
    done
    export PGPASSWORD="$PGPASSWORD$encoded"
    url=${url%%://*}://${account%%:*}@${url#*"$account"}
    ;;
esac

mkdir -p "$folder"
dump="$folder/portal-$(date -u +%Y-%m-%dT%H%M%SZ).dump"
# A dump that was broken off never looks like a whole one, and takes no room.
trap 'rm -f "$dump.part"' EXIT
pg_dump --format=custom --file="$dump.part" --dbname="$url${tls:+?$tls}"
mv "$dump.part" "$dump"
find "$folder" -name 'portal-*.dump' -mtime "+$days" -delete
echo "$dump"
