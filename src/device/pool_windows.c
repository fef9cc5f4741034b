/* pool_windows.c — where the windows of pooling lie, for every device. */
#include "ops.h"

int64_t ursa_pool_span(const ursa_pool_geometry *geometry, int axis, int64_t in, int64_t out)
{
    if (!geometry->adaptive)
        return geometry->window[axis];
    return out == 0 ? 0 : in % out == 0 ? in / out : in / out + 2;
}

int64_t ursa_pool_first(const ursa_pool_geometry *geometry, int axis, int64_t o, int64_t in, int64_t out)
{
    return geometry->adaptive ? o * in / out : o * geometry->stride[axis] - geometry->pad[axis];
}

ursa_dtype ursa_pool_winner_type(const ursa_pool_geometry *geometry, const int64_t *image, const int64_t *result)
{
    int64_t pixels =
        ursa_pool_span(geometry, 0, image[1], result[1]) * ursa_pool_span(geometry, 1, image[2], result[2]);
    return pixels <= UINT8_MAX + 1 ? URSA_U8 : URSA_I32;
}
