/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IPv6 beside IPv4: addresses are derived from what a container has, never chosen or stored. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { IPV6_TEXT_SIZE = 46, IPV6_BYTES = 16, IPV6_PREFIX_TEXT_SIZE = IPV6_TEXT_SIZE + 3 };

bool ipv6_parse(const char *text, uint8_t ret_address[IPV6_BYTES]);
void ipv6_format(const uint8_t address[IPV6_BYTES], char ret_text[IPV6_TEXT_SIZE]);

/* Reads a network's prefix, "fd42:1:2:3::/64": a /64 of unicast addresses whose other half is zero. */
bool ipv6_parse_prefix(const char *text, uint8_t ret_prefix[IPV6_BYTES]);

/* Unique local (fc00::/7): the world does not route these, the host has to lend its own address (NAT66). */
bool ipv6_is_local(const char *prefix);

/*
 * The address in @prefix of who has the IPv4 address @ipv4 in a network that begins at @network (both in the
 * host's byte order): fd42::/64 and 10.0.3.20 of 10.0.3.0/24 give fd42::14. False where the prefix is none.
 */
bool ipv6_derive(const char *prefix, uint32_t ipv4, uint32_t network, char ret_text[IPV6_TEXT_SIZE]);

/* The link-local address that the kernel makes of a MAC (EUI-64); false where it is none. */
bool ipv6_link_local(const char *mac, char ret_text[IPV6_TEXT_SIZE]);
