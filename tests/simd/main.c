/* main.c — asks whether the processor has the instruction set. Compiled without
 * it, unlike test_vec.c: any function there may use it from its first line. */
#include "vectors.h"
#include "device/cpu/cpu.h"

#include <stdio.h>
#include <string.h>

int main(void)
{
    for (int i = 0; ursa_cpu_set(i); i++)
        if (strcmp(ursa_cpu_set(i)->name, TESTED_SET) == 0)
            return test_vectors();
    printf("1..0 # SKIP this processor has no %s\n", TESTED_SET);
    return 0;
}
