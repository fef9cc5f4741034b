/* devices.c — `ursa devices`. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

static const command_spec spec = {
    .usage = "ursa devices",
    .summary = "Lists the devices that tensors can live on. The first column is what --device\n"
               "and URSA_DEVICE take; * marks what `auto` means on this machine.",
};

/* Every device stores both; what it multiplies them in is another matter. */
static void half_types(const ursa_device_info *info, char *text, size_t size)
{
    snprintf(text, size, "bf16 (%s), f16 (%s)", info->bf16_compute ? "products" : "storage",
             info->f16_compute ? "products" : "storage");
}

static void print_memory(const ursa_device_info *info)
{
    printf("%5.1f GiB%s", (double)info->memory / (1 << 30), info->unified ? ", the host's" : "");
    if (info->largest && info->largest < info->memory)
        printf(", %.1f GiB in one buffer", (double)info->largest / (1 << 30));
}

/* Widths of the columns, so that names of any length stand straight. */
static int widest(int (*length)(const ursa_device_info *), int least)
{
    for (int i = 0; i < ursa_device_count(); i++) {
        ursa_device_info info;
        if (ursa_device_describe(i, &info) && length(&info) > least)
            least = length(&info);
    }
    return least;
}

static int name_length(const ursa_device_info *info)
{
    return (int)strlen(info->name);
}

static int driver_length(const ursa_device_info *info)
{
    return (int)strlen(info->driver);
}

static int level_length(const ursa_device_info *info)
{
    return (int)strlen(info->level);
}

int run_devices(int argc, char **argv)
{
    int status;
    if (read_options(&spec, argc, argv, NULL, &status) < 0)
        return status;
    int name = widest(name_length, 4), driver = widest(driver_length, 6), level = widest(level_length, 5);
    printf("  %-10s %-*s  %-*s  %-*s  %-30s  %s\n", "device", name, "name", driver, "driver", level, "level",
           "half types", "memory");
    for (int i = 0; i < ursa_device_count(); i++) {
        ursa_device_info info;
        char halves[48];
        if (!ursa_device_describe(i, &info))
            return EXIT_ERROR;
        half_types(&info, halves, sizeof halves);
        printf("%c %-10s %-*s  %-*s  %-*s  %-30s  ", info.is_default ? '*' : ' ', info.id, name, info.name, driver,
               info.driver, level, info.level, halves);
        print_memory(&info);
        printf("\n");
    }
    return EXIT_FINE;
}
