/* report.h — the parts of an HTML page. */
#ifndef URSA_INTERPRET_REPORT_H
#define URSA_INTERPRET_REPORT_H

#include "text.h"

#include <stddef.h>

/* Text with <, >, & and " written so that they mean themselves. */
void ursa_html_escape(struct ursa_text *page, const char *text);
/* The file's content as a data: address within an <img>. False when it cannot be read. */
bool ursa_html_image(struct ursa_text *page, const char *path, const char *description);

extern const char ursa_html_style[];

#endif
