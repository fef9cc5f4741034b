/* conv_shape.cl — which pixels and channels a convolution brings together.
 *
 * Both the convolution and the gradient to its input are one product: a row is
 * a pixel of the result, a column one of its channels, and a term a tap of the
 * window with a channel of the source. The gradient to the weights sums over
 * pixels instead.
 */

/* The twin of struct conv_shape in conv.c. A pixel (i, j) of the grid looks, at
 * tap (a, b), at the source pixel
 *   (i step[0] + start[0] + a tap_step[0], j step[1] + start[1] + b tap_step[1])
 * and is put at (i out_step[0] + out_start[0], …) of the result. The weights are
 * packed tile after tile, with zeros that fill the tiles (product.cl). */
typedef struct conv_shape {
    int images, grid[2];
    int source[2], source_channels, depth; /* depth: source channels of a group */
    int step[2], start[2];
    int taps[2], tap_step[2];
    int out[2], out_channels, width; /* width: channels of the result of a group */
    int out_step[2], out_start[2];
    int w_tile, w_group; /* elements of a tile of the packed weights, and of a group */
} conv_shape;

/* A position that is outside of every image, however it is moved. */
#define NOWHERE (-(1 << 30))

/* Where the pixel that is row `row` of the product begins to look. */
typedef struct pixel {
    int y, x;
    int base; /* of its image, in elements */
} pixel;

static inline pixel pixel_of(conv_shape s, int row)
{
    int per_image = s.grid[0] * s.grid[1];
    if (row >= s.images * per_image)
        return (pixel){NOWHERE, NOWHERE, 0};
    int image = row / per_image, rest = row - image * per_image;
    int i = rest / s.grid[1], j = rest - i * s.grid[1];
    return (pixel){i * s.step[0] + s.start[0], j * s.step[1] + s.start[1],
                   image * s.source[0] * s.source[1] * s.source_channels};
}

/* What a term adds to that. */
typedef struct term {
    int y, x;
    int channel;
} term;

static inline term term_of(conv_shape s, int index)
{
    if (index >= s.taps[0] * s.taps[1] * s.depth)
        return (term){NOWHERE, NOWHERE, 0};
    int tap = index / s.depth, channel = index - tap * s.depth;
    int a = tap / s.taps[1], b = tap - a * s.taps[1];
    return (term){a * s.tap_step[0], b * s.tap_step[1], channel};
}

/* The element of channel 0 of the source pixel at (y, x), or -1 outside of the image. */
static inline int source_at(conv_shape s, int base, int y, int x)
{
    bool inside = (uint)y < (uint)s.source[0] && (uint)x < (uint)s.source[1];
    return inside ? base + (y * s.source[1] + x) * s.source_channels : -1;
}

/* The element of channel 0 of the pixel of the result that is row `row`. */
static inline int result_at(conv_shape s, int row)
{
    if (s.out_step[0] * s.out_step[1] == 1) /* the grid is the result */
        return row * s.out_channels;
    int per_image = s.grid[0] * s.grid[1];
    int image = row / per_image, rest = row - image * per_image;
    int i = rest / s.grid[1], j = rest - i * s.grid[1];
    int y = image * s.out[0] + i * s.out_step[0] + s.out_start[0];
    return (y * s.out[1] + j * s.out_step[1] + s.out_start[1]) * s.out_channels;
}
