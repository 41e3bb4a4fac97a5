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

/*
 * A container that is asked about, and what comes of it: 0; -EAGAIN of a monitor that does not answer in time; -EPERM
 * where a program of somebody else has taken its address.
 */
struct lxc_question {
	const char *name;
	int result;
	struct lxc_answer answer;
};

/* What is asked. Each is a conversation with the monitor: most of what a list of many containers costs. */
enum lxc_asked {
	LXC_ASK_STATE = 1,
	LXC_ASK_PID = 2,
};

/* What a negative result is about, for a sentence. */
const char *lxc_command_failure(int error);

/* Asks about container @name below @lxcpath; one without a monitor is LB_STATE_STOPPED. */
int lxc_command_query(const char *lxcpath, const char *name, struct lxc_answer *ret_answer);

/*
 * Asks about many what @what says (bits of enum lxc_asked): their monitors work side by side, and those that do not
 * answer are waited for together. What is not asked is LB_STATE_STOPPED, or 0.
 */
void lxc_command_query_all(const char *lxcpath, struct lxc_question *questions, size_t count, unsigned what);

/* Is there a monitor for the container? It outlives the state "stopped" by the moment it takes to exit. */
bool lxc_command_has_monitor(const char *lxcpath, const char *name);

/*
 * Is the process behind connection @fd that called listen() a process of @uid's? An abstract address is anybody's who
 * comes first.
 */
bool lxc_peer_is(int fd, uid_t uid);

/* A container that is to be killed. */
struct lxc_victim {
	const char *name;
	int result;                   /* 0: its monitor was told; 1: it has none; or a failure */
	int fd;                       /* its monitor's process, readable when it has ended; -1: not known */
};

/*
 * Has the monitors kill their containers, as lxc-stop -k does, frozen or not, and does not wait for it: a monitor's end
 * is that of all that it had mounted, too. The caller closes the descriptors.
 */
void lxc_command_kill_all(const char *lxcpath, struct lxc_victim *victims, size_t count);

/* The monitors that there were at one moment: one look instead of a question to each. Zero-initialise. */
struct lxc_monitors {
	struct text_list addresses;   /* of their sockets, sorted */
};

int lxc_monitors_load(struct lxc_monitors *ret_monitors);
bool lxc_monitors_has(const struct lxc_monitors *monitors, const char *lxcpath, const char *name);
void lxc_monitors_free(struct lxc_monitors *monitors);
