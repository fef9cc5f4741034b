/* clock.h — time that only goes forward. */
#ifndef URSA_BASE_CLOCK_H
#define URSA_BASE_CLOCK_H

/* Seconds since some fixed moment. */
double ursa_seconds(void);

/* Lets a test decide what time it is; NULL gives the real clock back. */
void ursa_set_clock(double (*seconds)(void));

#endif
