package wire

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"time"
)

// setText decodes text into a value: a URI label, a parameter, a header, or the content of an XML element.
func (t *types) setText(v reflect.Value, s string, timeFormat string) error {
	info, err := t.of(v.Type())
	if err != nil {
		return err
	}
	switch info.kind {
	case pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return t.setText(v.Elem(), s, timeFormat)
	case instant:
		at, err := time.Parse(timeFormat, s)
		if err != nil {
			return fmt.Errorf("%q is not a time such as %s", s, timeFormat)
		}
		v.Set(reflect.ValueOf(at.UTC()))
		return nil
	case blob:
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return fmt.Errorf("%q is not base64", s)
		}
		v.SetBytes(b)
		return nil
	case scalar:
		return setScalar(v, s)
	}
	return fmt.Errorf("text cannot be read into a %s", v.Type())
}

func setScalar(v reflect.Value, s string) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
		return nil
	case reflect.Bool:
		if s != "true" && s != "false" {
			return fmt.Errorf("%q is neither true nor false", s)
		}
		v.SetBool(s == "true")
		return nil
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(s, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is not a number", s)
		}
		v.SetFloat(f)
		return nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := strconv.ParseUint(s, 10, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is not a whole number of %d bits from 0", s, v.Type().Bits())
		}
		v.SetUint(n)
		return nil
	default:
		n, err := strconv.ParseInt(s, 10, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is not a whole number of %d bits", s, v.Type().Bits())
		}
		v.SetInt(n)
		return nil
	}
}

// text is the inverse of setText. It returns false for an absent value, which has no text.
func (t *types) text(v reflect.Value, timeFormat string) (string, bool, error) {
	info, err := t.of(v.Type())
	if err != nil {
		return "", false, err
	}
	switch info.kind {
	case pointer:
		if v.IsNil() {
			return "", false, nil
		}
		return t.text(v.Elem(), timeFormat)
	case instant:
		at := v.Interface().(time.Time)
		return at.UTC().Format(timeFormat), !at.IsZero(), nil
	case blob:
		return base64.StdEncoding.EncodeToString(v.Bytes()), v.Len() > 0, nil
	case scalar:
		switch v.Kind() {
		case reflect.String:
			return v.String(), true, nil
		case reflect.Bool:
			return strconv.FormatBool(v.Bool()), true, nil
		case reflect.Float32, reflect.Float64:
			return strconv.FormatFloat(v.Float(), 'f', -1, v.Type().Bits()), true, nil
		case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
			return strconv.FormatUint(v.Uint(), 10), true, nil
		default:
			return strconv.FormatInt(v.Int(), 10), true, nil
		}
	}
	return "", false, fmt.Errorf("a %s has no text", v.Type())
}

// Times are RFC 3339 in XML and query strings, and HTTP dates in headers (Smithy's timestampFormat defaults).
const (
	xmlTime    = "2006-01-02T15:04:05.999Z07:00"
	headerTime = http.TimeFormat
)
