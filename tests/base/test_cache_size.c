/* The sizes of the caches. */
#include "base/cache_size.h"

#include "../unit.h"

/* Of any processor that this is built for. */
static void sizes_are_plausible(void **state)
{
    (void)state;
    struct ursa_caches caches = ursa_caches();
    assert_in_range(caches.first, 4 << 10, 1 << 20);
    assert_in_range(caches.second, caches.first, 1 << 28);
    assert_in_range(caches.last, caches.second, 1LL << 34);
}

static void others_are_assumed(void **state)
{
    (void)state;
    struct ursa_caches before = ursa_caches(), small = {1, 2, 3};
    ursa_caches_assume(&small);
    assert_int_equal(ursa_caches().second, 2);
    ursa_caches_assume(NULL);
    assert_int_equal(ursa_caches().second, before.second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_plausible),
        cmocka_unit_test(others_are_assumed),
    };
    return run_unit_tests("cache_size", tests);
}
