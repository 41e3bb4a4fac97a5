/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What LXC's monitors tell of their containers: changes of state, and how an init ended. Each of them writes records
 * (struct lxc_msg of LXC's monitor.h, the same from LXC 2 to 7) to the FIFO RUNSTATEDIR/lxc/LXCPATH/monitor-fifo,
 * where somebody reads it. That is lxc-monitord's place, which is there while somebody uses lxc-monitor(1): who holds
 * the lock of the FIFO is the one that reads. Where lxc-monitord is, it passes the records on.
 *
 * Records can be lost (nobody read): whoever must know looks from time to time. A monitor opens the FIFO only where
 * somebody reads it, but then writes as one who waits: who has it open and does not read holds up, when it is full
 * after a thousand records, each container that starts or ends, until it is closed.
 */
#pragma once

#include "../core/context.h"

enum { LXC_EVENT_NAME_SIZE = 256 };

enum lxc_events_way {
	LXC_EVENTS_NONE,              /* nobody tells anything */
	LXC_EVENTS_FIFO,              /* the monitors themselves */
	LXC_EVENTS_MONITORD,          /* lxc-monitord */
};

struct lxc_events {
	enum lxc_events_way way;
	int fd;                       /* for poll(2); -1: none */
	size_t have;                  /* bytes of a record that has not come as a whole */
	char piece[512];
};

struct lxc_event {
	char name[LXC_EVENT_NAME_SIZE];
	bool is_exit;                 /* its init has ended, with @status of waitpid(2); else it is in @state now */
	int status;
	enum lb_state state;
};

/*
 * Begins to listen to the containers of @lxcpath: by the first way that is open. -EBUSY where lxc-monitord has the FIFO
 * and does not let anybody in; other negative errno. ret_events->fd is -1 then.
 */
int lxc_events_open(const char *lxcpath, struct lxc_events *ret_events);

/*
 * The next one: 1 with it, 0 when there is none now. -EPIPE when there will be no more (lxc-monitord has ended): open
 * it again. -EBADMSG when something was written that is no record: what was there is dropped.
 */
int lxc_events_next(struct lxc_events *events, struct lxc_event *ret_event);

/* Somebody has removed the FIFO: nobody writes to it any more. */
bool lxc_events_is_gone(const struct lxc_events *events);

void lxc_events_close(struct lxc_events *events);
