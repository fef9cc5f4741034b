/* palette.c — colours for series and for numbers. */
#include "palette.h"

#include <math.h>

static ursa_ink rgb(unsigned hex)
{
    return (ursa_ink){(hex >> 16) / 255.0, (hex >> 8 & 255) / 255.0, (hex & 255) / 255.0, 1};
}

ursa_ink ursa_palette(int index)
{
    static const unsigned colours[] = {0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9};
    return rgb(colours[(unsigned)index % (sizeof colours / sizeof *colours)]);
}

/* Viridis and magma: Smith and van der Walt 2015 (matplotlib). Blues: Brewer, colorbrewer2.org. Each at equal steps. */
static const unsigned viridis[] = {0x440154, 0x482878, 0x3E4A89, 0x31688E, 0x26828E,
                                   0x1F9E89, 0x35B779, 0x6DCD59, 0xB4DE2C, 0xFDE725};
static const unsigned magma[] = {0x000004, 0x180F3E, 0x451077, 0x721F81, 0x9F2F7F,
                                 0xCD4071, 0xF1605D, 0xFD9567, 0xFEC98D, 0xFCFDBF};
static const unsigned blues[] = {0xF7FBFF, 0xDEEBF7, 0xC6DBEF, 0x9ECAE1, 0x6BAED6,
                                 0x4292C6, 0x2171B5, 0x08519C, 0x08306B};

static const struct {
    const unsigned *controls;
    int count;
} maps[] = {
    [URSA_BLUES] = {blues, sizeof blues / sizeof *blues},
    [URSA_VIRIDIS] = {viridis, sizeof viridis / sizeof *viridis},
    [URSA_MAGMA] = {magma, sizeof magma / sizeof *magma},
};

ursa_ink ursa_map_colour(ursa_colour_map map, double position)
{
    if (isnan(position))
        return (ursa_ink){0.8, 0.8, 0.8, 1};
    double place = fmin(fmax(position, 0), 1) * (maps[map].count - 1);
    int below = (int)place < maps[map].count - 1 ? (int)place : maps[map].count - 2;
    double share = place - below;
    ursa_ink low = rgb(maps[map].controls[below]), high = rgb(maps[map].controls[below + 1]);
    return (ursa_ink){low.red + share * (high.red - low.red), low.green + share * (high.green - low.green),
                      low.blue + share * (high.blue - low.blue), 1};
}

ursa_ink ursa_ink_on(ursa_ink ground)
{
    double light = 0.299 * ground.red + 0.587 * ground.green + 0.114 * ground.blue;
    return light < 0.55 ? (ursa_ink){1, 1, 1, 1} : ursa_text_ink;
}

ursa_ink ursa_with_alpha(ursa_ink ink, double alpha)
{
    ink.alpha = alpha;
    return ink;
}
