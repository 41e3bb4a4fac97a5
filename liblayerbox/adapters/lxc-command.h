/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LXC's command socket: how a container's monitor is asked what it does. liblxc asks it, too, but only after
 * it has read the container's whole configuration, which is 20 times the price when a hundred are listed.
 * The two questions asked here (struct lxc_cmd_req and lxc_cmd_rsp of LXC's commands.h) are the same from
 * LXC 2 to 7; an answer that does not look right counts as none.
 */
#pragma once

#include "../core/context.h"

struct lxc_answer {
	enum lb_state state;
	pid_t pid;                    /* of the container's init; 0 where there is none (yet) */
};

/* A container whose monitor has been asked and has not answered yet. */
struct lxc_question {
	int state_fd, pid_fd;
};

/*
 * Asks about container @name below @lxcpath; many can be asked before the first answer is heard, so that their
 * monitors work side by side. Every question must be heard out.
 */
int lxc_command_ask(const char *lxcpath, const char *name, struct lxc_question *ret_question);

/* Waits for the answer; a container without a monitor is LB_STATE_STOPPED. Ends the question in any case. */
int lxc_command_hear(struct lxc_question *question, struct lxc_answer *ret_answer);

/* Asks and hears one. */
int lxc_command_query(const char *lxcpath, const char *name, struct lxc_answer *ret_answer);

/* Is there a monitor for the container? It outlives the state "stopped" by the moment it takes to exit. */
bool lxc_command_has_monitor(const char *lxcpath, const char *name);

/*
 * Has the monitor kill its container, as lxc-stop -k does, frozen or not, and does not wait for it. *ret_fd can be read
 * from (a process descriptor) as soon as the monitor has ended, and all that it had mounted with it. 1 without one.
 */
int lxc_command_kill(const char *lxcpath, const char *name, int *ret_fd);

/* The monitors that there were at one moment: one look instead of a question to each. Zero-initialise. */
struct lxc_monitors {
	struct text_list addresses;   /* of their sockets, sorted */
};

int lxc_monitors_load(struct lxc_monitors *ret_monitors);
bool lxc_monitors_has(const struct lxc_monitors *monitors, const char *lxcpath, const char *name);
void lxc_monitors_free(struct lxc_monitors *monitors);
