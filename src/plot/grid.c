/* grid.c — a grid of images with captions. */
#include "palette.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LINES = 3 };
static const double gap = 14, margin = 16, font = 10.5, line_height = 14, title_font = 14, title_room = 30;

struct grid {
    ursa_canvas *canvas;
    int columns, rows, lines; /* lines: of the longest caption */
    double cell, caption;     /* the side of an image; room for captions */
};

static int count_lines(const char *caption)
{
    int lines = caption && *caption ? 1 : 0;
    for (const char *c = caption ? strchr(caption, '\n') : NULL; c; c = strchr(c + 1, '\n'))
        lines++;
    return lines < LINES ? lines : LINES;
}

/* The cross is drawn: fonts may lack it. */
static void draw_cross(ursa_canvas *canvas, double x, double y, double arm, ursa_ink ink, double line_width)
{
    ursa_canvas_line(canvas, x - arm, y - arm, x + arm, y + arm, ink, line_width, false);
    ursa_canvas_line(canvas, x - arm, y + arm, x + arm, y - arm, ink, line_width, false);
}

static void draw_caption(const struct grid *grid, const ursa_plot_cell *cell, double left, double bottom)
{
    ursa_text_style style = {.size = font,
                             .ink = cell->wrong ? ursa_wrong_ink : ursa_text_ink,
                             .across = 0.5,
                             .max_width = grid->cell + gap - 6 - (cell->wrong ? 12 : 0)};
    char *copy = ursa_copy_string(cell->caption ? cell->caption : ""), *line = copy;
    double middle = left + grid->cell / 2, y = bottom - line_height * (count_lines(copy) - 1) - 5;
    for (int i = 0; line && i < LINES; i++, y += line_height) {
        char *next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (i == 0 && cell->wrong) {
            double width = fmin(ursa_text_width(line, font, false), style.max_width);
            draw_cross(grid->canvas, middle - width / 2 - 3, y - 3.8, 3, ursa_wrong_ink, 1.4);
            ursa_canvas_text(grid->canvas, middle + 5, y, line, &style);
        } else {
            ursa_canvas_text(grid->canvas, middle, y, line, &style);
        }
        line = next;
    }
    free(copy);
}

static void draw_points(const struct grid *grid, const ursa_plot_cell *cell, double scale, const double corner[2])
{
    for (int i = 0; i < cell->point_count; i++) {
        if (cell->points)
            ursa_canvas_dot(grid->canvas, corner[0] + scale * (double)cell->points[2 * i],
                            corner[1] + scale * (double)cell->points[2 * i + 1], 3.2, ursa_palette(0), true);
        if (cell->guesses) {
            double x = corner[0] + scale * (double)cell->guesses[2 * i];
            double y = corner[1] + scale * (double)cell->guesses[2 * i + 1];
            draw_cross(grid->canvas, x, y, 4.4, (ursa_ink){1, 1, 1, 1}, 3.2);
            draw_cross(grid->canvas, x, y, 4, ursa_wrong_ink, 1.8);
        }
    }
}

static void draw_cell(const struct grid *grid, const ursa_plot_cell *cell, double left, double top)
{
    double corner[2];
    draw_caption(grid, cell, left, top + grid->caption);
    if (!cell->image || !cell->image->pixels || cell->image->rows < 1 || cell->image->columns < 1)
        return;
    double scale =
        ursa_canvas_image(grid->canvas, cell->image, left, top + grid->caption, grid->cell, grid->cell, corner);
    ursa_canvas_clip(grid->canvas, corner[0], corner[1], scale * cell->image->columns, scale * cell->image->rows);
    draw_points(grid, cell, scale, corner);
    ursa_canvas_unclip(grid->canvas);
}

/* ---- keys ------------------------------------------------------------------------ */

static const double swatch = 10, key_line = 18, key_gap = 16, longest_key = 160;

static double key_width(const ursa_plot_key *key)
{
    return swatch + 5 + fmin(ursa_text_width(key->name, font, false), longest_key) + key_gap;
}

/* Draws the keys in lines from `top` on, or without a canvas only measures them. Returns their height. */
static double draw_keys(ursa_canvas *canvas, const ursa_grid_options *options, double width, double top)
{
    const ursa_text_style style = {.size = font, .ink = ursa_text_ink, .middle = true, .max_width = longest_key + 1};
    double x = margin, y = top + key_line / 2;
    for (int i = 0; i < options->key_count; i++) {
        const ursa_plot_key *key = &options->keys[i];
        if (x > margin && x + key_width(key) - key_gap > width - margin) {
            x = margin;
            y += key_line;
        }
        ursa_canvas_fill(canvas, x, y - swatch / 2, swatch, swatch, (ursa_ink){key->red, key->green, key->blue, 1});
        ursa_canvas_text(canvas, x + swatch + 5, y, key->name, &style);
        x += key_width(key);
    }
    return options->key_count > 0 ? y + key_line / 2 - top : 0;
}

/* ---- the whole -------------------------------------------------------------------- */

/* One row of up to five; else nearly a square, a little wider than high, with
 * few places left empty. */
static int choose_columns(int count)
{
    if (count <= 5)
        return count;
    int least = (int)ceil(sqrt(count)), most = (int)ceil(sqrt(count * 1.8)), best = least;
    for (int columns = least; columns <= most; columns++) {
        int empty = (columns - count % columns) % columns, best_empty = (best - count % best) % best;
        best = empty < best_empty ? columns : best;
    }
    return best;
}

bool ursa_plot_grid_opt(const char *path, const ursa_plot_cell *cells, int count, const ursa_grid_options *options)
{
    if (!path || !cells)
        return false;
    if (count < 1 || count > 10000)
        return ursa_fail(URSA_ERROR_ARGUMENT, "plot_grid: %d images; expected 1 to 10000", count);
    struct grid grid = {.cell = options->cell > 0 ? options->cell : 128};
    grid.columns = options->columns > 0 ? options->columns : choose_columns(count);
    grid.columns = grid.columns < count ? grid.columns : count;
    grid.rows = (count + grid.columns - 1) / grid.columns;
    for (int i = 0; i < count; i++)
        grid.lines = count_lines(cells[i].caption) > grid.lines ? count_lines(cells[i].caption) : grid.lines;
    grid.caption = grid.lines > 0 ? grid.lines * line_height + 4 : 0;
    double title = options->title ? title_room : 0, step = grid.cell + grid.caption + gap;
    double width = 2 * margin + grid.columns * (grid.cell + gap) - gap;
    double keys_top = margin + title + grid.rows * step - gap + (options->key_count > 0 ? 6 : 0);
    grid.canvas = ursa_canvas_begin(path, width, keys_top + draw_keys(NULL, options, width, 0) + margin);
    if (!grid.canvas)
        return false;
    draw_keys(grid.canvas, options, width, keys_top);
    const ursa_text_style style = {
        .size = title_font, .bold = true, .ink = ursa_text_ink, .across = 0.5, .max_width = width - margin};
    ursa_canvas_text(grid.canvas, width / 2, margin + title_font, options->title, &style);
    for (int i = 0; i < count; i++)
        draw_cell(&grid, &cells[i], margin + i % grid.columns * (grid.cell + gap),
                  margin + title + i / grid.columns * step);
    return ursa_canvas_finish(grid.canvas);
}
