#include <ursa/base.h>

const char *ursa_version(void)
{
    return URSA_VERSION;
}
