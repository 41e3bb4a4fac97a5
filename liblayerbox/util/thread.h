/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads of a library: a program's signals are handled in its own, so all are blocked here. */
#pragma once

#include <pthread.h>
#include <signal.h>

/* As pthread_create(3): 0, or a negative errno. */
static inline int thread_begin(pthread_t *ret_thread, const pthread_attr_t *attributes, void *(*fn)(void *data),
			       void *data)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	error = pthread_create(ret_thread, attributes, fn, data);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}
