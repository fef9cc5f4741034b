/* log.h — logging from inside the library; silent unless asked. */
#ifndef URSA_BASE_LOG_H
#define URSA_BASE_LOG_H

#include <ursa/base.h>

void ursa_log_line(ursa_log_level level, const char *format, ...) URSA_PRINTF(2, 3);

#endif
