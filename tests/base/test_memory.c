/* Host memory and strings. */
#include "base/memory.h"

#include "../unit.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void blocks_are_zeroed(void **state)
{
    (void)state;
    static const unsigned char zeros[4000];
    void *one = ursa_alloc(4000), *many = ursa_alloc_array(40, 100), *none = ursa_alloc(0);
    assert_memory_equal(one, zeros, 4000);
    assert_memory_equal(many, zeros, 4000);
    assert_non_null(none);
    free(one);
    free(many);
    free(none);
}

static void too_much_is_an_error(void **state)
{
    (void)state;
    assert_null(ursa_alloc_array(SIZE_MAX / 2, 3));
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_MEMORY);
    ursa_clear_error();
    char *block = ursa_copy_string("kept");
    assert_null(ursa_grow(block, SIZE_MAX / 2));
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_MEMORY);
    assert_string_equal(block, "kept");
    ursa_clear_error();
    free(block);
}

static void growing_keeps_contents(void **state)
{
    (void)state;
    char *text = ursa_copy_string("bear");
    text = ursa_grow(text, 100000);
    assert_string_equal(text, "bear");
    free(text);
}

static void aligned_blocks(void **state)
{
    (void)state;
    for (size_t bytes = 0; bytes < 300; bytes += 7) {
        void *block = ursa_alloc_aligned(bytes);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 64, 0);
        memset(block, 1, bytes);
        free(block);
    }
}

static void strings(void **state)
{
    (void)state;
    char *text = ursa_format("%d bears, %s", 3, "grizzly");
    assert_string_equal(text, "3 bears, grizzly");
    free(text);
    assert_null(ursa_copy_string(NULL));
    assert_null(ursa_error());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_zeroed),
        cmocka_unit_test(too_much_is_an_error),
        cmocka_unit_test(growing_keeps_contents),
        cmocka_unit_test(aligned_blocks),
        cmocka_unit_test(strings),
    };
    return run_unit_tests("memory", tests);
}
