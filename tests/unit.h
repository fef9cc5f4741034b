/* unit.h — what every cmocka program of the tests includes. */
#ifndef URSA_TESTS_UNIT_H
#define URSA_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ursa/base.h>

/* Runs an array of tests and then ursa_finish(), so that leak checkers see
 * what a program that ends properly leaves behind. A test that leaves an error
 * latched fails the program. */
#define run_unit_tests(name, tests)                                                                                    \
    (cmocka_run_group_tests_name(name, tests, NULL, NULL) + (ursa_error() ? 1 : 0) + ursa_finish())

#endif
