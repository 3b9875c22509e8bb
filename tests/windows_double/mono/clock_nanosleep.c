/* Copyright (c) 2026, edefter.ready contributors
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Laid over libfaketime, which hands the kernel an impossible time every now and then when it rewrites the deadline of a sleep on the monotonic
 * clock (EINVAL, and Mono then aborts). Our monotonic clock is true, so the sleep goes to the kernel as it is. Needs no headers.
 */
extern long syscall(long number, ...);
extern int *__errno_location(void);

#if defined(__x86_64__)
#define SYS_CLOCK_NANOSLEEP 230
#else /* the number of every architecture with the generic table: arm64, riscv64 */
#define SYS_CLOCK_NANOSLEEP 115
#endif

int clock_nanosleep(int clock, int flags, const void *request, void *left)
{
    return syscall(SYS_CLOCK_NANOSLEEP, (long)clock, (long)flags, request, left) ? *__errno_location() : 0;
}
