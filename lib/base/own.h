/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_OWN_H
#define BASE_OWN_H

/*
 * Ownership. `AUTO(source) s = ...;` declares a `struct source *` that source_free() releases at the end of the scope;
 * `TAKE(s)` hands the pointer on and leaves NULL behind. A type takes part by `OWNED(source)` after its
 * source_free() is declared. Every *_free() accepts NULL, and nothing whose failure matters happens in one.
 */

#include <stdlib.h>
#include <unistd.h>

#define OWNED(type)                                                                                                    \
	static inline void type##_freep(struct type **p)                                                               \
	{                                                                                                              \
		type##_free(*p);                                                                                       \
	}

#define AUTO(type) __attribute__((cleanup(type##_freep))) struct type *

#define TAKE(p)                                                                                                        \
	__extension__({                                                                                                \
		__typeof__(p) taken_ = (p);                                                                            \
		(p) = NULL;                                                                                            \
		taken_;                                                                                                \
	})

/* Plain memory: `AUTO_MEM char *s = ...` is free()d. */
static inline void own_mem_freep(void *p)
{
	free(*(void **)p);
}
#define AUTO_MEM __attribute__((cleanup(own_mem_freep)))

/* `AUTO_FD int fd = open(...)` is closed if >= 0. For descriptors whose close() cannot lose data (read only). */
static inline void own_fd_closep(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}
#define AUTO_FD __attribute__((cleanup(own_fd_closep)))

#endif
