/* factor.cl — the arrays of products: f32, or one of the half types, read and
 * written as vectors of floats.
 *
 * A kernel takes an array as `global const void *` and asks for the vector of
 * V elements that starts at element i; types are numbers, and constants where the
 * kernel was compiled for them, so that the choice costs nothing there.
 */
#define TYPE_F32  0
#define TYPE_F16  1
#define TYPE_BF16 2

#define TYPE_BYTES(type) ((type) == TYPE_F32 ? 4 : 2)

#define ARRAY(name)        global const void *name, long name##_offset
#define RESULT(name)       global void *name, long name##_offset

static inline float float_of_f16(ushort bits)
{
    return vload_half(0, (const half *)&bits);
}

static inline ushort f16_of(float value)
{
    ushort bits;
    vstore_half_rte(value, 0, (half *)&bits);
    return bits;
}

/* To nearest, ties to even; what is not a number stays so. */
static inline ushort bf16_of(float value)
{
    uint bits = as_uint(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return (ushort)(bits >> 16 | 0x40u);
    return (ushort)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static inline float float_of(ushort bits, int type)
{
    return type == TYPE_F16 ? float_of_f16(bits) : as_float((uint)bits << 16);
}

static inline ushort half_of(float value, int type)
{
    return type == TYPE_F16 ? f16_of(value) : bf16_of(value);
}

/* As the factor is multiplied: rounded to `factor`, unless it has that type already. */
static inline float rounded(float value, int type, int factor)
{
    return type == factor || factor == TYPE_F32 ? value : float_of(half_of(value, factor), factor);
}

static inline float element_load(global const void *p, int i, int type)
{
    return type == TYPE_F32 ? ((global const float *)p)[i] : float_of(((global const ushort *)p)[i], type);
}

static inline void element_store(global void *p, int i, int type, float value)
{
    if (type == TYPE_F32)
        ((global float *)p)[i] = value;
    else
        ((global ushort *)p)[i] = half_of(value, type);
}
