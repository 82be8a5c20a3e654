#!/bin/bash
# fifty.sh FOLDER LOCKS...: fifty commands at once that read, wait and write, each under the lock. A command that finds
# another inside says so.
folder=$1
shift
echo 0 >"$folder/count"
for _ in $(seq 50); do
  "$@" run --ttl 60s counter -- bash -c '
    mkdir "$0/inside" || echo overlap >>"$0/overlaps"
    read -r count <"$0/count"
    sleep 0.01
    echo $((count + 1)) >"$0/count"
    echo "$LOCKS_TOKEN" >>"$0/tokens"
    rmdir "$0/inside"
  ' "$folder" || echo "ended with $?" >>"$folder/overlaps" &
done
wait
