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
/* Each work item makes the four elements of one block. */
#define STORE_FOUR(v0, v1, v2, v3)                                                                                     \
    do {                                                                                                               \
        STORE(T, out, at, v0);                                                                                         \
        if (at + 1 < count)                                                                                            \
            STORE(T, out, at + 1, v1);                                                                                 \
        if (at + 2 < count)                                                                                            \
            STORE(T, out, at + 2, v2);                                                                                 \
        if (at + 3 < count)                                                                                            \
            STORE(T, out, at + 3, v3);                                                                                 \
    } while (0)

kernel void uniform(OUTPUT(T, out), int count, long key, long counter, float a, float b)
{
    LOCATE(out);
    long block = get_global_id(0);
    if (block * 4 >= count)
        return;
    int at = (int)block * 4;
    uint4 w = philox((ulong)key, (ulong)(counter + block));
    float d = b - a;
    STORE_FOUR(a + d * philox_uniform(w.x), a + d * philox_uniform(w.y), a + d * philox_uniform(w.z),
               a + d * philox_uniform(w.w));
}

kernel void bernoulli(OUTPUT(T, out), int count, long key, long counter, float a, float b)
{
    LOCATE(out);
    long block = get_global_id(0);
    if (block * 4 >= count)
        return;
    int at = (int)block * 4;
    uint4 w = philox((ulong)key, (ulong)(counter + block));
    STORE_FOUR(philox_uniform(w.x) < a ? 1.0f : 0.0f, philox_uniform(w.y) < a ? 1.0f : 0.0f,
               philox_uniform(w.z) < a ? 1.0f : 0.0f, philox_uniform(w.w) < a ? 1.0f : 0.0f);
}

/* Box and Muller. log1p(-u) is exact where 1 - u rounds; sinpi needs no 2π. */
kernel void normal(OUTPUT(T, out), int count, long key, long counter, float a, float b)
{
    LOCATE(out);
    long block = get_global_id(0);
    if (block * 4 >= count)
        return;
    int at = (int)block * 4;
    uint4 w = philox((ulong)key, (ulong)(counter + block));
    float r0 = sqrt(-2.0f * log1p(-philox_uniform(w.x))), t0 = 2.0f * philox_uniform(w.y);
    float r1 = sqrt(-2.0f * log1p(-philox_uniform(w.z))), t1 = 2.0f * philox_uniform(w.w);
    STORE_FOUR(a + b * (r0 * cospi(t0)), a + b * (r0 * sinpi(t0)), a + b * (r1 * cospi(t1)), a + b * (r1 * sinpi(t1)));
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
