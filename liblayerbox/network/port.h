/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The names of containers' ports, the host's ends of their veths: made from the bridge and the MAC, so that a
 * port is known by its name before it is there, and all ports of a network by their beginning.
 */
#pragma once

#include <stdbool.h>

enum { PORT_NAME_SIZE = 16, PORT_PREFIX_SIZE = 8 };

/* "lb5f3a-": what the ports of this bridge begin with, and no others on this host. */
void port_prefix(const char *bridge, char ret_prefix[PORT_PREFIX_SIZE]);

/* "lb5f3a-1a2b3c"; false where @mac is none. */
bool port_name(const char *bridge, const char *mac, char ret_name[PORT_NAME_SIZE]);
