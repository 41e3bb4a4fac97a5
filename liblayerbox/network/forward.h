/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ports of the host that lead into a container, as its record has them: `forwards = LISTEN:PORT:TARGET/PROTOCOL, ...`.
 * Text and values only; who may have which port is decided in container/forwards.c.
 */
#pragma once

#include "../util/text.h"

enum {
	FORWARD_LISTEN_SIZE = 46,     /* INET6_ADDRSTRLEN */
	FORWARDS_MAX = 64,            /* of one container */
};

struct forward {
	bool udp;                     /* else TCP */
	char listen[FORWARD_LISTEN_SIZE]; /* one address of the host, IPv4 or IPv6; "": all but loopback */
	uint16_t port, target_port;
};

struct forward_list {
	struct forward *items;
	size_t count;
};

/*
 * Reads [LISTEN:]PORT[:TARGET][/PROTOCOL], an IPv6 address in brackets; without a protocol it is TCP, without a
 * target that is 0, and in a list the same port. NULL, or why not ("must be ...").
 */
const char *forward_parse(const char *text, struct forward *ret_forward);

/* Brings an address to listen on to one spelling. NULL, or why not. */
const char *forward_parse_listen(const char *text, char ret_listen[FORWARD_LISTEN_SIZE]);

/* Adds the one normal form, which forward_parse() reads. */
void forward_format(const struct forward *forward, struct buffer *text);

const char *forward_protocol(const struct forward *forward);

/* Would both take the same connections? Listening on all addresses overlaps with each. */
bool forward_overlaps(const struct forward *a, const struct forward *b);
bool forward_equal(const struct forward *a, const struct forward *b);

/* Reads what stands between commas, "" for none. NULL, or why not; *ret_list is the caller's. */
const char *forward_list_parse(const char *text, struct forward_list *ret_list);

/* The list as text, "" where it is empty; the caller's, NULL without memory. */
char *forward_list_format(const struct forward_list *list);

/* Appends; -ENOMEM or 0. */
int forward_list_add(struct forward_list *list, const struct forward *forward);
void forward_list_remove(struct forward_list *list, size_t index);
int forward_list_copy(const struct forward_list *list, struct forward_list *ret_copy);
void forward_list_free(struct forward_list *list);

#define CLEANUP_FORWARD_LIST CLEANUP(forward_list_free)
