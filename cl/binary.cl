/* binary.cl — functions of two elements, choice, and dropout. */
#include "common.cl"
#include "philox.cl"

/* ---- functions of two elements: -DFUNCTION=binary_add -DOUT=<token> --------- */

#ifdef FUNCTION
typedef CALC(T) calc;

#ifdef T_IS_FLOAT
#define ADD(x, y) ((x) + (y))
#define SUB(x, y) ((x) - (y))
#define MUL(x, y) ((x) * (y))
#define DIV(x, y) ((x) / (y))
#define UNORDERED(x, y) (isnan(x) || isnan(y))
#define NAN_OF_T NAN
#else
/* Signed integers wrap only by way of their unsigned twins. */
typedef ulong wide;
#define ADD(x, y) ((calc)((wide)(x) + (wide)(y)))
#define SUB(x, y) ((calc)((wide)(x) - (wide)(y)))
#define MUL(x, y) ((calc)((wide)(x) * (wide)(y)))
static inline calc divided(calc x, calc y)
{
    return y == 0 ? (calc)0 : (calc)-1 < 0 && y == (calc)-1 ? SUB(0, x) : (calc)(x / y);
}
#define DIV(x, y) divided(x, y)
#define UNORDERED(x, y) false
#define NAN_OF_T 0
#endif

#define BINARY(name, result, expression)                                                                               \
    static inline result binary_##name(calc x, calc y, float a, float b)                                               \
    {                                                                                                                  \
        return expression;                                                                                             \
    }
BINARY(add, calc, ADD(x, y))
BINARY(sub, calc, SUB(x, y))
BINARY(mul, calc, MUL(x, y))
BINARY(div, calc, DIV(x, y))
BINARY(max, calc, UNORDERED(x, y) ? (calc)NAN_OF_T : x > y ? x : y)
BINARY(min, calc, UNORDERED(x, y) ? (calc)NAN_OF_T : x < y ? x : y)
#ifdef T_IS_FLOAT
BINARY(pow, calc, pow(x, y))
BINARY(atan2, calc, atan2(x, y))
BINARY(lincomb, calc, a *x + b * y)
#endif
BINARY(eq, uchar, x == y)
BINARY(ne, uchar, x != y)
BINARY(lt, uchar, x < y)
BINARY(le, uchar, x <= y)
BINARY(gt, uchar, x > y)
BINARY(ge, uchar, x >= y)
BINARY(and, uchar, x != 0 && y != 0)
BINARY(or, uchar, x != 0 || y != 0)
BINARY(xor, uchar, (x != 0) != (y != 0))

kernel void binary(INPUT(T, x), INPUT(T, y), OUTPUT(OUT, out), loop_t loop, float a, float b)
{
    LOCATE(x);
    LOCATE(y);
    LOCATE(out);
    int i = get_global_id(0);
    if (i < loop.count)
        STORE(OUT, out, LOOP_INDEX(loop, 2, i),
              FUNCTION(LOAD(T, x, LOOP_INDEX(loop, 0, i)), LOAD(T, y, LOOP_INDEX(loop, 1, i)), a, b));
}
#endif

/* ---- where: elements are moved as they are ----------------------------------- */

#ifdef CHOOSE
kernel void choose(INPUT(b8, condition), INPUT(CHOOSE, x), INPUT(CHOOSE, y), OUTPUT(CHOOSE, out), loop_t loop)
{
    LOCATE(condition);
    LOCATE(x);
    LOCATE(y);
    LOCATE(out);
    int i = get_global_id(0);
    if (i < loop.count)
        out[LOOP_INDEX(loop, 3, i)] =
            condition[LOOP_INDEX(loop, 0, i)] ? x[LOOP_INDEX(loop, 1, i)] : y[LOOP_INDEX(loop, 2, i)];
}
#endif

/* ---- dropout: each work item has the four elements of one Philox block -------- */

#ifdef DROPOUT
kernel void dropout(INPUT(DROPOUT, x), OUTPUT(DROPOUT, out), int count, long key, long counter, float p)
{
    LOCATE(x);
    LOCATE(out);
    long block = get_global_id(0);
    if (block * 4 >= count)
        return;
    int first = (int)block * 4;
    uint4 words = philox((ulong)key, (ulong)(counter + block));
    uint word[4] = {words.x, words.y, words.z, words.w};
    for (int i = 0; i < 4; i++)
        if (first + i < count) {
            bool kept = philox_uniform(word[i]) >= p;
            STORE(DROPOUT, out, first + i, kept ? LOAD(DROPOUT, x, first + i) / (1.0f - p) : 0.0f);
        }
}
#endif
