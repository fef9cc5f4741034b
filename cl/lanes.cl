/* lanes.cl — LANES neighbouring floats as one vector (-DLANES=1, 4 or 8): what
 * a work item of a GPU, and much more so of a CPU, reads and computes at once.
 */

#if LANES == 1
typedef float lanes;
typedef int lanes_int;
#define lanes_load(p) (*(p))
#define lanes_store(v, p) (*(p) = (v))
#else
typedef PASTE(float, LANES) lanes;
typedef PASTE(int, LANES) lanes_int;
#define lanes_load(p) PASTE(vload, LANES)(0, p)
#define lanes_store(v, p) PASTE(vstore, LANES)(v, 0, p)
#endif

/* LANES elements, of which only `count` exist. */
static inline lanes lanes_load_some(global const float *p, int count)
{
    if (count >= LANES)
        return lanes_load(p);
    float some[LANES];
    for (int i = 0; i < LANES; i++)
        some[i] = i < count ? p[i] : 0.0f;
    return lanes_load(some);
}

static inline void lanes_store_some(lanes v, global float *p, int count)
{
    if (count >= LANES) {
        lanes_store(v, p);
        return;
    }
    float some[LANES];
    lanes_store(v, some);
    for (int i = 0; i < count; i++)
        p[i] = some[i];
}

/* Puts a vector of sums into the result, behind the bias, where there is one,
 * and with -DRELU max(x, 0); `count` of its elements exist, which may be none. */
static inline void lanes_finish(lanes v, global float *out, global const float *bias, int count)
{
    if (count <= 0)
        return;
    if (bias)
        v += lanes_load_some(bias, count);
#ifdef RELU
    v = select(v, (lanes)(0.0f), v < 0.0f); /* stays not a number */
#endif
    lanes_store_some(v, out, count);
}
