/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "target.h"

#include "../util/text.h"

enum { PORT_DIGITS = 5 };

/* Takes the place off the front; what is left. */
static const char *take_place(const char *text, bool by_default, bool *ret_inside)
{
	const char *rest;

	*ret_inside = by_default;
	if ((rest = text_after(text, "inside:")))
		*ret_inside = true;
	else if ((rest = text_after(text, "host:")))
		*ret_inside = false;
	return rest ? rest : text;
}

/* Takes the port off the front; what is left, NULL where there is none. */
static const char *take_port(const char *text, uint16_t *ret_port)
{
	size_t n = strspn(text, "0123456789");
	char digits[PORT_DIGITS + 1];
	uint64_t port;

	if (n > PORT_DIGITS)
		return NULL;
	memcpy(digits, text, n);
	digits[n] = '\0';
	if (!text_to_number(digits, 1, UINT16_MAX, &port))
		return NULL;
	*ret_port = (uint16_t)port;
	return text + n;
}

const char *health_command_parse(const char *text, struct health_target *ret_target)
{
	struct health_target target = { 0 };

	target.rest = take_place(text, true, &target.inside);
	if (!*target.rest || *target.rest == ' ')
		return "must be a program and its arguments, with host: in front for one that is run on the host";
	if (!target.inside && *target.rest != '/')
		return "must name a program of the host by its absolute path";
	*ret_target = target;
	return NULL;
}

const char *health_tcp_parse(const char *text, struct health_target *ret_target)
{
	struct health_target target = { 0 };

	target.rest = take_port(take_place(text, false, &target.inside), &target.port);
	if (!target.rest || *target.rest)
		return "must be a port such as 1883, with inside: in front to connect from within";
	*ret_target = target;
	return NULL;
}

/* What goes into the first line of a request as it is. */
static bool is_path(const char *text)
{
	if (*text && *text != '/')
		return false;
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
			return false;
	return true;
}

const char *health_http_parse(const char *text, struct health_target *ret_target)
{
	struct health_target target = { 0 };

	target.rest = take_port(take_place(text, false, &target.inside), &target.port);
	if (!target.rest || !is_path(target.rest))
		return "must be a port and a path such as 3000/api/health, with inside: in front to connect from within";
	*ret_target = target;
	return NULL;
}
