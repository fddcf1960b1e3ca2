#!/bin/bash
# The image built and run where no container engine is: a Debian base by debootstrap, the Dockerfile by buildah.
#
#     make image-check            as root; some 10 minutes and 30 GB of disk for a while
#
# Seen: the image's own commands, as its user: `serve` answering /health, a worker that gives signs of life.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "buildah with chroot isolation needs root" >&2; exit 2; }
command -v buildah >/dev/null && command -v debootstrap >/dev/null || {
    apt-get update -qq && apt-get install -y -qq --no-install-recommends buildah debootstrap >/dev/null; }
place=$(mktemp -d)
store=(--storage-driver vfs --root "$place/storage" --runroot "$place/run")
trap 'buildah "${store[@]}" rm --all >/dev/null 2>&1 || true; rm -rf "$place"' EXIT

echo "a base with Python 3, from this machine's Debian mirror ..."
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | head -1 | tr -d ' ' || true)
debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$suite" "$place/base" "$mirror" >"$place/debootstrap.log" ||
    { tail -5 "$place/debootstrap.log" >&2; exit 1; }
base=$(buildah "${store[@]}" from scratch)
buildah "${store[@]}" copy --quiet "$base" "$place/base" / >/dev/null
buildah "${store[@]}" commit --quiet "$base" localhost/base >/dev/null
buildah "${store[@]}" rm "$base" >/dev/null
rm -rf "$place/base"

echo "the image ..."
# pip's configuration of this machine, for the build alone.
mounts=()
for file in /etc/pip.conf "$HOME/.config/pip/pip.conf" "$HOME/.pip/pip.conf"; do
    [ -f "$file" ] && mounts+=(--volume "$file:$file:ro"); done
# Folders that it names, as a mirror on this machine.
for folder in $(.venv/bin/python -m pip config list 2>/dev/null | grep -oE "(file://)?/[^' ,]+" | sed 's#^file://##') /etc/ssl/certs; do
    [ -d "$folder" ] && mounts+=(--volume "$folder:$folder:ro"); done
while IFS='=' read -r name value; do mounts+=(--env "$name=$value"); done < <(env | grep -E '^PIP_' || true)
began=$(date +%s)
buildah "${store[@]}" bud --quiet --format docker --isolation chroot --network host --layers=false "${mounts[@]}" \
    --build-arg BASE=localhost/base --build-arg TORCH_INDEX="${TORCH_INDEX:-}" \
    --file docker/Dockerfile --ignorefile docker/Dockerfile.dockerignore --tag seedqueue . >"$place/build.log" 2>&1 ||
    { tail -20 "$place/build.log" >&2; exit 1; }
echo "built in $(($(date +%s) - began)) s"

one=$(buildah "${store[@]}" from seedqueue)
run() { buildah "${store[@]}" run --isolation chroot --network host "$one" -- "$@"; }
echo "user: $(run id -un), size: $(du -sh "$(buildah "${store[@]}" mount "$one")" | cut -f1)"
buildah "${store[@]}" umount "$one" >/dev/null
[ "$(run id -un)" = seedqueue ]
run seedqueue --help >/dev/null
run sh -ec '
    export LABEL_STUDIO_API_KEY=none
    seedqueue serve --host 127.0.0.1 --port 19090 --workers 1 >/tmp/serve.log 2>&1 &
    serve=$!
    for turn in $(seq 120); do python -m seedqueue.backend.alive 19090 && break; sleep 1; done
    python -m seedqueue.backend.alive 19090
    echo "serve answers"
    for turn in $(seq 120); do python -m seedqueue.backend.alive && break; sleep 1; done
    python -m seedqueue.backend.alive
    echo "a worker lives"
    kill $serve
    wait $serve
    tail -n 1 /tmp/serve.log'
