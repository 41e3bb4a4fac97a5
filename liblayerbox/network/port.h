/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the host's end of a container's veth is called. The name is made from what is known before there is any such
 * interface, so that rules can name it: all ports of one network begin alike, and those of no other network do.
 */
#pragma once

enum { PORT_NAME_SIZE = 16 };

/* "lb5f3a-": every port of this bridge begins so. */
void port_prefix(const char *bridge, char ret_prefix[PORT_NAME_SIZE]);

/* "lb5f3a-62d694": the port of the container that has this MAC address (00:16:3e:62:d6:94). */
void port_name(const char *bridge, const char *mac, char ret_name[PORT_NAME_SIZE]);
