/* group.cl — numbers of the work items of a group joined as a tree, so that
 * the order is always the same. The size of the group is a power of two; every
 * item gets the result.
 */
#define GROUP_JOIN(name, expression)                                                                                   \
    static inline float name(local float *each, float mine)                                                            \
    {                                                                                                                  \
        int item = (int)get_local_id(0);                                                                               \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        each[item] = mine;                                                                                             \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        for (int apart = (int)get_local_size(0) / 2; apart > 0; apart /= 2) {                                             \
            if (item < apart) {                                                                                         \
                float x = each[item], y = each[item + apart];                                                           \
                each[item] = expression;                                                                               \
            }                                                                                                          \
            barrier(CLK_LOCAL_MEM_FENCE);                                                                              \
        }                                                                                                              \
        return each[0];                                                                                                \
    }

GROUP_JOIN(group_sum, x + y)
GROUP_JOIN(group_max, fmax(x, y))
