/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the settings health.command, health.tcp and health.http say: [host:|inside:]PROGRAM ARGUMENTS, [..]PORT,
 * [..]PORT[/PATH]. Programs are run inside unless they say otherwise, connections are made from the host. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct health_target {
	bool inside;                  /* from within the container, else from the host */
	uint16_t port;                /* of the container's address, or, inside, of its loopback */
	const char *rest;             /* of the text: the program and its arguments, or the path with its slash, or "" */
};

/* Each reads the text of its setting; the result points into it. NULL, or why it cannot be ("must be ..."). */
const char *health_command_parse(const char *text, struct health_target *ret_target);
const char *health_tcp_parse(const char *text, struct health_target *ret_target);
const char *health_http_parse(const char *text, struct health_target *ret_target);
