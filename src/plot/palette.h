/* palette.h — the colours of pictures: all can be told apart by the colour-blind. */
#ifndef URSA_PLOT_PALETTE_H
#define URSA_PLOT_PALETTE_H

#include "canvas.h"

#include <ursa/plot.h>

/* Okabe and Ito's colours ("Color universal design", 2008), without black:
 * blue, vermilion, bluish green, reddish purple, orange, sky blue, and again. */
ursa_ink ursa_palette(int index);

/* A colour map at 0 … 1, interpolated between its published control values; NaN is grey. */
ursa_ink ursa_map_colour(ursa_colour_map map, double position);

/* White or nearly black, whichever can be read on a colour. */
ursa_ink ursa_ink_on(ursa_ink ground);

ursa_ink ursa_with_alpha(ursa_ink ink, double alpha);

static const ursa_ink ursa_text_ink = {0.13, 0.13, 0.13, 1}, ursa_pale_ink = {0.42, 0.42, 0.42, 1},
                      ursa_grid_ink = {0.88, 0.88, 0.88, 1}, ursa_wrong_ink = {0.835, 0.369, 0.0, 1};

#endif
