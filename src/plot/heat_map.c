/* heat_map.c — matrices as coloured cells. */
#include "palette.h"

#include <math.h>
#include <stdio.h>

static const double pad = 12, title_font = 14, label_font = 12, longest_name = 150, bar_width = 12, bar_font = 9;

struct heat_map {
    const double *values;
    int rows, columns;
    const ursa_heat_map_options *options;
    ursa_canvas *canvas;
    double low, high;
    double cell, font;              /* the side of a cell; of names and numbers */
    double row_names, column_names; /* room for them */
    bool slanted;
    double left, top;
};

static double widest(const char *const *names, int count, double font)
{
    double width = 0;
    for (int i = 0; names && i < count; i++)
        width = fmax(width, ursa_text_width(names[i], font, false));
    return fmin(width, longest_name);
}

static void measure_values(struct heat_map *map)
{
    map->low = map->options->low;
    map->high = map->options->high;
    if (map->low != 0 || map->high != 0)
        return;
    map->low = INFINITY;
    map->high = -INFINITY;
    for (int i = 0; i < map->rows * map->columns; i++)
        if (isfinite(map->values[i])) {
            map->low = fmin(map->low, map->values[i]);
            map->high = fmax(map->high, map->values[i]);
        }
    if (!(map->low < map->high)) {
        map->low = isfinite(map->low) ? fmin(map->low, 0) : 0;
        map->high = fmax(map->low + 1, isfinite(map->high) ? map->high : 1);
    }
}

/* Cells of 15 to 80 points, so that the whole is about 460 of them wide; of more
 * than a hundred rows or columns they are smaller, and not all have their names. */
static void lay_out(struct heat_map *map)
{
    const ursa_heat_map_options *options = map->options;
    int most = map->rows > map->columns ? map->rows : map->columns;
    map->cell = fmin(fmax(460.0 / most, fmin(15, 1500.0 / most)), 80);
    map->font = fmin(fmax(map->cell * 0.3, 8), 11);
    map->row_names = widest(options->row_names, map->rows, map->font);
    double longest = widest(options->column_names, map->columns, map->font);
    map->slanted = longest + 4 > map->cell;
    map->column_names = map->slanted ? longest * 0.71 + map->font : map->font;
    map->left = pad + (options->y_label ? label_font + 10 : 0) + map->row_names + 8;
    map->top = pad + (options->title ? title_font + 14 : 0);
    /* Names that lean out to the left of the first column need room too. */
    if (map->slanted)
        map->left = fmax(map->left, longest * 0.71 - map->cell / 2 + pad);
}

static double position_of(const struct heat_map *map, double value)
{
    return (value - map->low) / (map->high - map->low);
}

static void draw_cells(const struct heat_map *map)
{
    for (int row = 0; row < map->rows; row++)
        for (int column = 0; column < map->columns; column++) {
            double value = map->values[row * map->columns + column];
            double x = map->left + column * map->cell, y = map->top + row * map->cell;
            ursa_ink ground = ursa_map_colour(map->options->map, position_of(map, value));
            ursa_canvas_fill(map->canvas, x, y, map->cell + 0.2, map->cell + 0.2, ground);
            if (!map->options->format || !isfinite(value))
                continue;
            char text[32];
            snprintf(text, sizeof text, map->options->format, value);
            double room = map->cell - 3, width = ursa_text_width(text, map->font, false);
            double size = width > room ? map->font * room / width : map->font;
            const ursa_text_style style = {.size = size, .ink = ursa_ink_on(ground), .across = 0.5, .middle = true};
            if (size >= 5)
                ursa_canvas_text(map->canvas, x + map->cell / 2, y + map->cell / 2, text, &style);
        }
    ursa_canvas_frame(map->canvas, map->left, map->top, map->cell * map->columns, map->cell * map->rows, ursa_text_ink,
                      0.9);
}

static void draw_names(const struct heat_map *map)
{
    const ursa_heat_map_options *options = map->options;
    double bottom = map->top + map->rows * map->cell;
    ursa_text_style style = {
        .size = map->font, .ink = ursa_text_ink, .across = 1, .middle = true, .max_width = longest_name + 1};
    int stride = (int)ceil((map->font + 1) / map->cell);
    for (int row = 0; options->row_names && row < map->rows; row += stride)
        ursa_canvas_text(map->canvas, map->left - 6, map->top + (row + 0.5) * map->cell, options->row_names[row],
                         &style);
    style.middle = false;
    style.across = map->slanted ? 1 : 0.5;
    style.angle = map->slanted ? 45 : 0;
    stride = (int)ceil(map->slanted ? 1.42 * (map->font + 1) / map->cell : 1);
    for (int column = 0; options->column_names && column < map->columns; column += stride)
        ursa_canvas_text(map->canvas, map->left + (column + 0.5) * map->cell + (map->slanted ? map->font * 0.4 : 0),
                         bottom + 6 + map->font * 0.8, options->column_names[column], &style);
}

static void draw_titles(const struct heat_map *map, double height)
{
    const ursa_heat_map_options *options = map->options;
    double side = map->cell * map->columns, middle = map->left + side / 2;
    ursa_text_style style = {.size = title_font, .bold = true, .ink = ursa_text_ink, .across = 0.5};
    style.max_width = 2 * fmin(middle - pad, side / 2 + 60);
    ursa_canvas_text(map->canvas, middle, pad + title_font - 2, options->title, &style);
    style = (ursa_text_style){.size = label_font, .ink = ursa_text_ink, .across = 0.5};
    ursa_canvas_text(map->canvas, middle, height - pad, options->x_label, &style);
    style.angle = 90;
    ursa_canvas_text(map->canvas, pad + label_font * 0.8, map->top + map->rows * map->cell / 2, options->y_label,
                     &style);
}

static void write_end(char *text, size_t size, double value)
{
    snprintf(text, size, "%.6g", value);
}

/* Room for the colour bar and what is written at its ends. */
static double room_for_bar(const struct heat_map *map)
{
    char low[32], high[32];
    write_end(low, sizeof low, map->low);
    write_end(high, sizeof high, map->high);
    double widest_end = fmax(ursa_text_width(low, bar_font, false), ursa_text_width(high, bar_font, false));
    return 14 + bar_width + 5 + widest_end + pad;
}

/* What the colours stand for. */
static void draw_bar(const struct heat_map *map)
{
    enum { STEPS = 64 };
    double x = map->left + map->cell * map->columns + 14, height = fmin(map->cell * map->rows, 200);
    for (int i = 0; i < STEPS; i++)
        /* Down to the end, so that there is no seam between two. */
        ursa_canvas_fill(map->canvas, x, map->top + height * i / STEPS, bar_width, height * (STEPS - i) / STEPS,
                         ursa_map_colour(map->options->map, 1 - (i + 0.5) / STEPS));
    ursa_canvas_frame(map->canvas, x, map->top, bar_width, height, ursa_text_ink, 0.7);
    const ursa_text_style style = {.size = bar_font, .ink = ursa_text_ink};
    char text[32];
    write_end(text, sizeof text, map->high);
    ursa_canvas_text(map->canvas, x + bar_width + 5, map->top + 7, text, &style);
    write_end(text, sizeof text, map->low);
    ursa_canvas_text(map->canvas, x + bar_width + 5, map->top + height, text, &style);
}

bool ursa_plot_heat_map_opt(const double *values, int rows, int columns, const char *path,
                            const ursa_heat_map_options *options)
{
    if (!values || !path)
        return false;
    if (rows < 1 || columns < 1 || rows > 1000 || columns > 1000)
        return ursa_fail(URSA_ERROR_ARGUMENT, "plot_heat_map: %d × %d cells; expected 1 to 1000", rows, columns);
    struct heat_map map = {.values = values, .rows = rows, .columns = columns, .options = options};
    measure_values(&map);
    lay_out(&map);
    double width = map.left + map.cell * columns + room_for_bar(&map);
    double height = map.top + map.cell * rows + 8 + (options->column_names ? map.column_names + 6 : 0) +
                    (options->x_label ? label_font + 10 : 0) + pad;
    map.canvas = ursa_canvas_begin(path, width, height);
    if (!map.canvas)
        return false;
    draw_cells(&map);
    draw_names(&map);
    draw_titles(&map, height);
    draw_bar(&map);
    return ursa_canvas_finish(map.canvas);
}
