#!/bin/sh
# Installs into an empty folder, and builds a program against what is there as
# anybody outside would: by pkg-config, with the shared and the static library.
# usage: install.sh BUILD_FOLDER
set -eu
build=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

meson install -C "$build" --no-rebuild --quiet --destdir "$folder/root"

cat >"$folder/program.c" <<'END'
#include <stdio.h>
#include <ursa/ursa.h>
int main(void) { printf("%s\n", ursa_version()); return ursa_finish(); }
END

PKG_CONFIG_PATH=$(dirname "$(find "$folder/root" -name ursa.pc)")
PKG_CONFIG_SYSROOT_DIR=$folder/root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
version=$(pkg-config --modversion ursa)
libraries=$(dirname "$PKG_CONFIG_PATH")

expect_version() {
    printed=$("$@")
    [ "$printed" = "$version" ] || { echo "$*: printed \"$printed\" instead of $version"; exit 1; }
}

# Word splitting of what pkg-config prints is wanted.
# shellcheck disable=SC2046
cc "$folder/program.c" $(pkg-config --cflags --libs ursa) -o "$folder/shared"
expect_version env LD_LIBRARY_PATH="$libraries" "$folder/shared"
ldd "$folder/shared" | grep -q libursa || { echo "the program does not use the shared library"; exit 1; }

# The same with nothing but the archive to link: what it needs in turn is in
# Libs.private.
rm "$libraries"/libursa.so*
# shellcheck disable=SC2046
cc "$folder/program.c" $(pkg-config --cflags --libs --static ursa) -o "$folder/static"
expect_version "$folder/static"

command=$(find "$folder/root" -path '*/bin/ursa')
if [ -n "$command" ]; then
    "$command" --version | grep -qF "$version" || { echo "ursa --version does not print $version"; exit 1; }
fi
echo "installed, and built against, version $version"
