/* no_archive.c — archives where libarchive is not built in. */
#include "unpack.h"

bool ursa_unpack_all(ursa_unpacking *unpacking, const char *label)
{
    (void)label;
    return ursa_fail(URSA_ERROR_UNSUPPORTED,
                     "%s: ursa was built without archives (libarchive, meson option \"archive\")", unpacking->archive);
}
