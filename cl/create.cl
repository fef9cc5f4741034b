/* create.cl — making arrays and converting them. */
#include "common.cl"
#include "philox.cl"

/* ---- fill and move: FILL and MOVE are any type of the element's size --------- */

#ifdef FILL
#define U_u8 uchar
#define U_f16 ushort
#define U_i32 uint
#define U_i64 ulong
kernel void fill(global PASTE(U_, FILL) * out, long out_offset, loop_t loop, long bits)
{
    LOCATE(out);
    int i = get_global_id(0);
    if (i < loop.count)
        out[LOOP_INDEX(loop, 0, i)] = (PASTE(U_, FILL))bits;
}
#endif

#ifdef MOVE
kernel void move(INPUT(MOVE, x), OUTPUT(MOVE, out), loop_t loop)
{
    LOCATE(x);
    LOCATE(out);
    int i = get_global_id(0);
    if (i < loop.count)
        out[LOOP_INDEX(loop, 1, i)] = x[LOOP_INDEX(loop, 0, i)];
}
#endif

/* ---- arange ------------------------------------------------------------------ */

#ifdef ARANGE
#define T ARANGE
kernel void arange_float(OUTPUT(T, out), int count, float start, float step)
{
    LOCATE(out);
    int i = get_global_id(0);
    if (i < count)
        STORE(T, out, i, (CALC(T))(start + i * step));
}

kernel void arange_integer(OUTPUT(T, out), int count, long start, long step)
{
    LOCATE(out);
    int i = get_global_id(0);
    if (i < count)
        STORE(T, out, i, (CALC(T))(start + i * step));
}

#endif

/* ---- random ------------------------------------------------------------------ */

#ifdef RANDOM
#define T RANDOM
/* Four blocks at once, so that compilers of processors have vectors to work with. */
static inline float16 uniform(uint16 w, float a, float b)
{
    return a + (b - a) * (convert_float16(w >> 8u) * 0x1p-24f);
}

static inline float16 bernoulli(uint16 w, float a, float b)
{
    return select((float16)(0.0f), (float16)(1.0f), convert_float16(w >> 8u) * 0x1p-24f < a);
}

/* Box and Muller. 1 - u has 24 bits, as u has, and so is exact; sinpi needs no π. */
static inline float16 normal(uint16 w, float a, float b)
{
    float8 r = sqrt(-2.0f * log(1.0f - convert_float8(w.even >> 8u) * 0x1p-24f));
    float8 t = convert_float8(w.odd >> 8u) * 0x1p-23f;
    float16 v;
    v.even = r * cospi(t);
    v.odd = r * sinpi(t);
    return a + b * v;
}

/* Each work item makes the sixteen elements of four blocks, by -DDISTRIBUTION. */
kernel void random(OUTPUT(T, out), int count, long key, long counter, float a, float b)
{
    LOCATE(out);
    long first = get_global_id(0) * 16l, block = counter + get_global_id(0) * 4l;
    if (first >= count)
        return;
    int at = (int)first, left = count - at;
    uint16 w = (uint16)(philox((ulong)key, (ulong)block), philox((ulong)key, (ulong)block + 1),
                        philox((ulong)key, (ulong)block + 2), philox((ulong)key, (ulong)block + 3));
    float v[16];
    vstore16(DISTRIBUTION(w, a, b), 0, v);
    if (left >= 16) {
        for (int i = 0; i < 16; i++)
            STORE(T, out, at + i, v[i]);
    } else {
        for (int i = 0; i < left; i++)
            STORE(T, out, at + i, v[i]);
    }
}
#endif

/* ---- copy: from type FROM to type TO --------------------------------------- */

#ifdef FROM
/* Floats truncate and saturate, NaN gives 0; integers keep their low bits. */
#define FROM_FLOAT(to, expression)                                                                                     \
    static inline to float_to_##to(float v)                                                                            \
    {                                                                                                                  \
        return isnan(v) ? (to)0 : expression;                                                                          \
    }
FROM_FLOAT(int, convert_int_sat_rtz(v))
FROM_FLOAT(long, convert_long_sat_rtz(v))
FROM_FLOAT(uchar, convert_uchar_sat_rtz(v))

#define TO_f32(v) ((float)(v))
#define TO_f16(v) ((float)(v))
#define TO_bf16(v) ((float)(v))
#define TO_b8(v) ((v) != 0 ? (uchar)1 : (uchar)0)
#ifdef FROM_IS_FLOAT
#define TO_i32(v) float_to_int(v)
#define TO_i64(v) float_to_long(v)
#define TO_u8(v) float_to_uchar(v)
#else
#define TO_i32(v) ((int)(v))
#define TO_i64(v) ((long)(v))
#define TO_u8(v) ((uchar)(v))
#endif

kernel void copy(INPUT(FROM, x), OUTPUT(TO, out), loop_t loop)
{
    LOCATE(x);
    LOCATE(out);
    int i = get_global_id(0);
    if (i < loop.count) {
        CALC(FROM) v = LOAD(FROM, x, LOOP_INDEX(loop, 0, i));
        STORE(TO, out, LOOP_INDEX(loop, 1, i), PASTE(TO_, TO)(v));
    }
}
#endif
