/* no_cairo.c — stands in for the drawing where Cairo is not built in. */
#include <ursa/plot.h>

bool ursa_plot_grid_opt(const char *path, const ursa_plot_cell *cells, int count, const ursa_grid_options *options)
{
    (void)cells;
    (void)count;
    (void)options;
    return ursa_fail(URSA_ERROR_UNSUPPORTED, "%s: cannot be drawn: this ursa was built without Cairo", path);
}
