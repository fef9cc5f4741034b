/* lines.cl — an array as lines: the kept axes number them, the others run
 * along each. Twin of struct ursa_cl_lines_shape. Compiled with -DAXES=<axes of
 * either kind>. */
typedef struct {
    int lines, extent;
    int kept_shape[6], kept_stride[6];
    int shape[6], stride[6];
} lines_t;

#define OFFSET_OF(shape, stride, i)                                                                              \
    int at = 0;                                                                                                        \
    _Pragma("unroll") for (int axis = AXES - 1; axis > 0; axis--)                                                      \
    {                                                                                                                  \
        int rest = i / shape[axis];                                                                                    \
        at += (i - rest * shape[axis]) * stride[axis];                                                                 \
        i = rest;                                                                                                      \
    }                                                                                                                  \
    return at + i * stride[0]

/* Where line number i begins. */
static inline int line_start(const lines_t *l, int i)
{
    OFFSET_OF(l->kept_shape, l->kept_stride, i);
}

/* Where element i of a line is, from its beginning. */
static inline int along_line(const lines_t *l, int i)
{
    OFFSET_OF(l->shape, l->stride, i);
}
