#!/bin/sh
# A CityNerve node in shell and awk: reads one datastream from standard input, "MILLISECONDS VALUE"
# a line with times that increase, from run to run too, and ends when the stream has committed it
# all. What is not committed waits in SPOOL and is sent by the next run: repeat until it ends with 0.
# END=yes says that nothing follows, so that the last windows close. Needs mosquitto-clients, GNU
# coreutils, awk and sed. It follows docs/protocol.md.
#
#   NODE=gauge-7 AREA=town/north/weir SENSOR=gauge PROPERTY=water_level UNIT=m SPOOL=spool \
#   BROKER=127.0.0.1 PORT=1883 sh node.sh < readings.txt
set -eu
: "${NODE:?}" "${AREA:?}" "${SENSOR:?}" "${PROPERTY:?}" "${UNIT:?}" "${SPOOL:?}"
root=${ROOT:-city/v1} broker="-V 5 -q 1 -h ${BROKER:-127.0.0.1} -p ${PORT:-1883}"
patience=${PATIENCE:-60} # seconds without progress after which this run gives up
shard=$(printf %s "$NODE" | b2sum -l 8 | cut -c1)
mkdir -p "$SPOOL"
queue=$SPOOL/queue # line 1: the last term; line 1 + n: the columns of batch n of that term
acks=$SPOOL/acks
[ -f "$queue" ] || echo 0 > "$queue"

replace() { # standard input becomes the queue, wholly or not at all, and survives a power cut
    cat > "$queue.new"; sync "$queue.new"; mv "$queue.new" "$queue"; sync "$SPOOL"
}
now() { date +%s%3N; }
field() { printf %s "$ack" | sed -n "s/.*\"$1\": *\"\{0,1\}\([0-9a-zA-Z_-]*\).*/\1/p"; }
listen() { # the newest ack of the stream that we are bound to; the first we ever hear binds us
    ack=$(grep '"committed"' "$acks" | grep -F "$(cat "$SPOOL/stream" 2> /dev/null)" | tail -n 1)
    [ -n "$ack" ] || return 1
    [ -s "$SPOOL/stream" ] || printf '"%s"' "$(field stream)" > "$SPOOL/stream"
}
expect() { # wait up to $1 ms until the command $2... holds
    until_ms=$(($(now) + $1)); shift
    until listen && "$@"; do [ "$(now)" -lt "$until_ms" ] || return 1; sleep 0.1; done
}
say() { mosquitto_pub $broker -t "$root/obs/$shard/$NODE" -l || true; } # lost? we say it again
stuck() { [ $(($(now) - progress)) -gt $((patience * 1000)) ] && echo "no answer" >&2 && exit 1; }

# Spool first: 100 readings a batch, and at the end of all a watermark an hour on.
{ cat "$queue"; awk -v s="$SENSOR" -v p="$PROPERTY" -v end="${END:-no}" '
    function flush() { if (n) printf "[{\"s\":\"%s\",\"p\":\"%s\",\"t\":[%s],\"v\":[%s]}]\n", s, p, t, v; n = 0 }
    NF == 2 { t = n ? t "," $1 : $1; v = n ? v "," $2 : $2; last = $1; if (++n == 100) flush() }
    END { flush(); if (end == "yes" && last) printf "[{\"s\":\"%s\",\"p\":\"%s\",\"wm\":%.0f}]\n", s, p, last + 3600000 }
'; } | replace

: > "$acks"
mosquitto_sub $broker -t "$root/ack/$shard/$NODE" >> "$acks" &
listener=$!
trap 'kill $listener 2> /dev/null' EXIT
trap 'exit 1' INT TERM

# A hello opens a term greater than any we know; until it is answered nothing else is sent.
last=$(head -n 1 "$queue") term=0 progress=$(now)
opened() { [ "$(field term)" -ge "$term" ]; }
while :; do
    heard=$last
    listen && [ "$(field term)" -gt "$heard" ] && heard=$(field term)
    [ "$heard" -lt "$term" ] || term=$(((heard / 4294967296 + 1) * 4294967296 + $(od -An -N4 -tu4 /dev/urandom)))
    printf '{"hello":{"node":"%s","term":%d,"about":{"area":"%s","sensors":[{"name":"%s","properties":[{"name":"%s","unit":"%s"}]}]},"sent":%s}}\n' \
        "$NODE" "$term" "$AREA" "$SENSOR" "$PROPERTY" "$UNIT" "$(now)" | say
    expect 3000 opened && [ "$(field term)" -eq "$term" ] && break
    ! stuck
done

# What the stream committed of our last term may go; the rest is numbered anew from 1.
skip=0
[ "$(field prev_term)" -ne "$last" ] || skip=$(field prev_committed)
if [ "$(field prev_term)" -gt "$last" ]; then
    skip=$(wc -l < "$queue")
    echo "the stream knows a later term: $((skip - 1)) batches of an old spool given up" >&2
fi
{ echo "$term"; tail -n "+$((skip + 2))" "$queue"; } | replace

# Send as much as the credit allows, wait for its commit, send again what makes no progress.
total=$(($(wc -l < "$queue") - 1)) committed=0 progress=$(now)
moved() { [ "$(field term)" -eq "$term" ] && [ "$(field committed)" -gt "$committed" ]; }
while [ "$committed" -lt "$total" ]; do
    awk -v node="$NODE" -v term="$term" -v done="$committed" -v credit="$(field credit)" -v sent="$(now)" '
        NR == 1 || NR - 1 <= done { next }
        { bytes += length($0) + 200; if (bytes > credit && NR - 2 > done) exit
          printf "{\"node\":\"%s\",\"term\":%.0f,\"seq\":%d,\"oldest\":%d,\"sent\":%s,\"want_ack\":true,\"obs\":%s}\n", \
              node, term, NR - 1, done + 1, sent, $0 }' "$queue" | say
    if expect "$(field retry)" moved; then
        committed=$(field committed) progress=$(now)
    fi
    ! stuck
done
echo "$term" | replace
