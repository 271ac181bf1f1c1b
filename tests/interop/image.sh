#!/usr/bin/env bash
# The image as the Dockerfile says it, without a daemon and without a registry: buildah runs each step in a chroot, over Debian's own
# Python in the place of the official image, which is built on the same release. Names it localhost/understudy.
set -euo pipefail
cd "$(dirname "$0")/../.."
base=$(sed -n 's/^FROM \(python:[^ ]*\) AS .*/\1/p' Dockerfile)
if ! buildah inspect --type image "docker.io/library/$base" >/dev/null 2>&1; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  mirror=$(apt-get indextargets --format '$(REPO_URI)' "Component: main" | head -1) # where this machine installs from
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "${base##*-}" "$folder/root" "$mirror" >"$folder/log" \
    || { tail -5 "$folder/log"; exit 1; }
  ln -s /usr/bin/python3 "$folder/root/usr/local/bin/python"
  made=$(buildah from scratch)
  buildah copy --quiet "$made" "$folder/root" / >/dev/null
  buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$made"
  buildah commit --quiet --rm "$made" "docker.io/library/$base" >/dev/null
fi
# How this machine reaches PyPI holds inside as well.
pip=$(env | sed -n 's/^\(PIP_[A-Z_]*\)=.*/--env=\1/p')
# shellcheck disable=SC2086 # one word for each
buildah bud --quiet --format docker --pull=never --network host $pip --volume /etc/ssl/certs:/etc/ssl/certs:ro --tag localhost/understudy .
