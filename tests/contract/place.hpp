// What places of images have in common for the contract suites, and where they differ.
#pragma once

#include "tests/contract/test_image.hpp"

#include <string>

namespace lade::test {

/// What a place can; what it cannot, the suites leave out.
struct PlaceTraits {
  bool holds_many = true;  ///< images with names of their own; else one whose name is empty
  bool is_updated = true;  ///< a sink may be opened on what another has committed
};

/// `Place::k_traits`, if it has one.
template <class Place>
constexpr PlaceTraits traits_of() {
  if constexpr (requires { Place::k_traits; }) {
    return Place::k_traits;
  } else {
    return {};
  }
}

/// What an image that the suites call `name` is called at the place.
template <class Place>
std::string name_at(const std::string& name) {
  return traits_of<Place>().holds_many ? name : std::string();
}

/// What comes back of an image: `Place::stored()`, if it has one.
template <class Place>
TestImage as_stored(const TestImage& image) {
  if constexpr (requires { Place::stored(image); }) {
    return Place::stored(image);
  } else {
    return image;
  }
}

}  // namespace lade::test

/// Ends a test of what this place cannot.
#define LADE_NEEDS(TRAIT)                                    \
  if constexpr (!lade::test::traits_of<TypeParam>().TRAIT) { \
    GTEST_SKIP() << "this place is not one that " #TRAIT;    \
  }
